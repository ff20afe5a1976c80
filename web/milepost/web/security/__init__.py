"""What browsers bring along: cookies, requests that other sites' pages make, and pages that run scripts."""
