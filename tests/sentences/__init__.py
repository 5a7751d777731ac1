"""All sentences that members can read, for reviewers and translators: `make sentences`."""
