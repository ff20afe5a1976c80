"""What does each call do, whoever makes it, over gRPC and HTTP alike?"""
