"""The contract of Milepost: the messages and services of `milepost.v1`."""
