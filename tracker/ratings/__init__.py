"""What readers say of outputs, blind and one by one."""
