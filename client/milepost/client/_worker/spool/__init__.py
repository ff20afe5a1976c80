"""Reports that outlive their worker: kept on disk until a server has taken them."""
