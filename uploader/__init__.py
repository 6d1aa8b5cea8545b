"""Bytes in, an outcome out: the service's wire format, delivery, the spool, sessions, audit."""
