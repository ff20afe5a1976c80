"""Messages of the contract: checked, encoded, compared and dated, with no rule about what may happen to a job."""
