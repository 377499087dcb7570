"""The Apps platform: app processes, the identity-forwarding front door, deployments, workspace files, permissions."""
