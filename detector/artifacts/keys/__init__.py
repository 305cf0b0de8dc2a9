"""Small files, headers and content ids of a repository -> trace keys: what another one has if it was copied."""
