"""DemoProcess any command as a job: its process, what it writes, and how far it says that it is."""
