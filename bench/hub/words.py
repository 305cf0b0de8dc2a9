"""Names for what is made up: of models, of their authors, of the parts of their code."""

from __future__ import annotations

import random

NOUNS = (
    "anchor arbor arch atoll barge basin bellows bobbin bracket brook buoy cairn canopy carrel cascade cinder "
    "cistern clasp cloister comb conduit copper coral cornice crest culvert dial dome dowel dune eddy ember "
    "estuary fathom fennel ferry filament fjord flint flume forge fresco furrow gable gantry geyser glade gnomon "
    "granite grotto gully gusset hamlet harbor hedge hinge hollow inlet ivory jetty keel kiln knoll lagoon "
    "lantern lathe lattice ledger lever lichen limpet loam locket loom lumen magnet mantle marl meadow mesa mill "
    "mirror moor mosaic mortar nacelle nectar nozzle oculus orchard osier oxbow paddle parcel pebble pennant "
    "petal pier pillar pinion piston plinth plume portal prism prow pulley quarry quill quoin raft rafter ravine "
    "reed reef relay ridge rill rivet rosin rudder sail sandbar sash scarp sconce seam shale shingle shoal "
    "shuttle sieve silo sluice socket spindle spire spool spruce steeple strait stratum summit tarn tassel "
    "tendril terrace tether thicket thimble tide tiller timber toggle torrent trellis tributary trough turret "
    "valley valve vault veneer vessel vine weir wharf wicket willow winch yarn yoke zephyr"
).split()
_VERBS = (
    "align blend braid carve comb damp draw drift fade fold fuse gather graft hoist knit lean melt mill pour "
    "press rinse settle shear sift skim slip soak spread steep stir sweep temper thread tilt trim weave wind"
).split()
_SYLLABLES = (
    "ka lo mi ne su ta vu bre dun fel gor hal ith jor kel lum mar nov ost pir quen rud sel tor ulm vex wyn yar zel"
).split()


def coined(rng: random.Random, parts: int = 3) -> str:
    """A word that means nothing."""
    return "".join(rng.sample(_SYLLABLES, parts))


class Names:
    """Words for one project: none is given twice."""

    def __init__(self, rng: random.Random) -> None:
        self._nouns = rng.sample(NOUNS, len(NOUNS))
        self._round = 1
        self._verbs = rng.sample(_VERBS, len(_VERBS))

    def noun(self) -> str:
        """A word for a thing."""
        if not self._nouns:
            self._round += 1
            self._nouns = [f"{each}_{self._round}" for each in NOUNS]
        return self._nouns.pop()

    def verb(self) -> str:
        """A word for what is done."""
        return self._verbs.pop()
