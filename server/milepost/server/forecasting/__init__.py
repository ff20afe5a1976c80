"""The forecasting model: the remaining time of a job, from past runs of its kind. Pure functions."""
