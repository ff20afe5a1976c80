"""Parts of `milepost demo`: processes, a relay whose connections can be cut, and the audit of the events."""
