"""Who may use the local workspace: accounts, groups, service principals, and the tokens they carry."""
