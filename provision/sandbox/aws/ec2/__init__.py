"""Amazon EC2: VPCs, security groups and network interfaces."""
