"""An AWS, a DNS, a registrar and a LINE platform on this machine."""
