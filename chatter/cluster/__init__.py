"""The log that several nodes share: lanes on NATS JetStream. docs/cluster.md describes it."""
