"""Counts leases by the emulator's record. Pure: events in, counts out; memory follows what is open, not what has been.

A lease begins with `deliver` and ends with `acknowledge`, `nack` or `expire`. A message that the emulator delivers twice on purpose
has two leases under one id.
"""

import collections

ENDS = ("acknowledge", "nack", "expire")


class Leases:
    def __init__(self):
        self.counts = collections.Counter()
        self.open = collections.Counter()  # leases of each message id
        self.unacknowledged = set()  # ids that were published
        self.impossible = 0  # ends without a beginning

    def take(self, events):
        for event in events:
            self.counts[event.event] += 1
            identity = event.message_id
            if event.event == "publish":
                self.unacknowledged.add(identity)
            elif event.event == "deliver":
                self.open[identity] += 1
            elif event.event in ENDS:
                self._end(identity)
                if event.event == "acknowledge":
                    self.unacknowledged.discard(identity)

    def _end(self, identity):
        left = self.open[identity] - 1
        if left > 0:
            self.open[identity] = left
        else:
            del self.open[identity]
            self.impossible += left < 0

    @property
    def ended(self):
        return sum(self.counts[kind] for kind in ENDS)

    def problems(self, copies, lent, source, lent_at_faults):
        """What does not add up, as sentences. copies: messages that the emulator delivered twice; lent: its own count of open leases;
        source: the metrics of the query; lent_at_faults: leases that were open when connections were cut."""
        counts, found = self.counts, []

        def must(holds, text):
            if not holds:
                found.append(text)

        must(self.impossible == 0, f"{self.impossible} leases ended that had not begun")
        must(counts["deliver"] - self.ended == sum(self.open.values()), "leases that began, less those that ended, are not those open")
        must(sum(self.open.values()) == lent, f"the record has {sum(self.open.values())} open leases, the emulator {lent}")
        must(not self.unacknowledged, f"{len(self.unacknowledged)} messages were never acknowledged")
        must(
            counts["acknowledge"] == counts["publish"] + copies,
            f"{counts['acknowledge']} acknowledgements of {counts['publish']} messages and {copies} copies",
        )
        outcomes = sum(source[key] for key in ("acknowledgedRows", "givenBackRows", "expiredRows", "backlogRows"))
        must(source["receivedRows"] == outcomes, f"the source received {source['receivedRows']} rows and knows the outcome of {outcomes}")
        must(source["backlogRows"] == 0, f"the source still holds {source['backlogRows']} rows")
        on_the_way = counts["deliver"] - source["receivedRows"]
        must(
            0 <= on_the_way <= lent_at_faults,
            f"{counts['deliver']} rows were delivered, {source['receivedRows']} received; {lent_at_faults} were lent when connections were cut",
        )
        # An extension whose answer was late has worked: the source then takes the lease for one that has ended.
        must(
            source["acknowledgedRows"] + source["expiredRows"] >= counts["acknowledge"],
            f"the source acknowledged {source['acknowledgedRows']} rows, or too late {source['expiredRows']}; the emulator has "
            f"{counts['acknowledge']}",
        )
        return found
