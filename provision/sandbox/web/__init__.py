"""HTTP servers of the sandbox, their guard and certificates, the control paths and the chat page."""
