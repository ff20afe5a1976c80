"""What every other part of the server stands on; nothing here knows of jobs' rules, of the log or of a transport.

- Time: ``clock``, ``timestamps``, ``job_ages``.
- Refusals of requests: ``refusal``, ``field_checks``.
- Messages as bytes: ``event_encoding``, ``job_encoding``, ``payloads``, ``sliced_decoding``, ``sliced_comparing``.
- Sharing the event loop among callers: ``callers``, ``steps``, ``slices``, ``caller_pace``, ``reservations``,
  ``loop_lag``, ``prompt_future``.
- Bounds on memory: ``byte_budget``, ``response_room``, ``idle_caches``.
- Identity of what is stored: ``job_epoch``, ``submission``, ``file_versions``.
- Failures on purpose, for tests: ``failpoints``.
"""
