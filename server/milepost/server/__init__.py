"""The Milepost server. See ``docs/design.md`` for the way of an event through it."""
