"""The news: collected from feeds, stored in S3 or a folder, kept in memory for the answers."""
