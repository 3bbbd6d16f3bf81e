"""What a person asked for; every suite reads it."""

from dataclasses import dataclass


@dataclass
class Options:
    threads: int
    rounds: int
    processors: list[int]
    quick: bool = False
    peers_only: bool = False

    @property
    def seconds(self):
        """How long a peer is measured in a round."""
        return 0.5 if self.quick else 2.0

    def contestants(self, ours, peers):
        return peers if self.peers_only else ours + peers
