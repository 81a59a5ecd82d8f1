"""The sandbox's HTTP servers, their access checks and certificates, control paths and chat page."""
