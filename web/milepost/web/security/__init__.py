"""Security that browsers need: cookies, requests from other sites' pages, and headers for pages with scripts."""
