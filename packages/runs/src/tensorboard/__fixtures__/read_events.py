# Prints what TensorBoard reads in a folder of event files, as JSON: scalars and texts by tag.
import json
import math
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.util import tensor_util

folder, file = sys.argv[1:3]
accumulator = EventAccumulator(folder, size_guidance={"scalars": 0, "tensors": 0})
accumulator.Reload()


def number(value):
    return value if math.isfinite(value) else None


scalars = {}
texts = {}
# The loader gives scalars as TensorBoard's server does: as tensors of the plugin `scalars`.
plugins = {}
for event in EventFileLoader(file).Load():
    for value in event.summary.value:
        plugins.setdefault(value.tag, value.metadata.plugin_data.plugin_name)
        array = tensor_util.make_ndarray(value.tensor)
        if plugins[value.tag] == "text":
            read = [text.decode("utf-8") for text in array.reshape(-1).tolist()]
            texts.setdefault(value.tag, []).append([event.step, read])
        else:
            scalars.setdefault(value.tag, []).append([event.step, event.wall_time, number(float(array))])

print(json.dumps({"scalars": scalars, "texts": texts, "plugins": plugins, "tags": sorted(accumulator.Tags()["tensors"])}))
