"""Tests: unit (one module), integration (real parts over their real protocols), browser, bundle (the real CLI)."""
