"""Amazon ECS on Fargate."""
