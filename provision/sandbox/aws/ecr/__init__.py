"""Amazon ECR, its registry, and a stand-in for public.ecr.aws."""
