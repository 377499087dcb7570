"""The benchmark: what Lakefront's own layers cost, as ratios measured side by side in one run."""
