"""What every call goes through, whatever it comes by: admission, bounds on its memory, its status, its log lines."""
