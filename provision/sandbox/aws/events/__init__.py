"""Amazon EventBridge rules."""
