"""Which notifications are due, told by plain Python over what was published; it knows nothing of the hub's code.

It knows the rules of test_kill by what they mean, in a few lines each.
"""

FOR = 2.0


def events(published):
    """Spike: each message with v > 900 is one."""
    return {(device, n) for _, kind, device, n, v in published if kind == "load" and v > 900}


def flaps(published):
    """Flap: begins above 500, ends below 300; the states of each device in order."""
    return _walk(published, "load", lambda v: v > 500, lambda v: v < 300)


def held(published):
    """Held: above 10 for FOR without a break; ends when it is not above 10."""
    states, since = {}, {}
    for at, kind, device, _, v in published:
        if kind != "held":
            continue
        told = states.setdefault(device, [])
        if v > 10:
            since.setdefault(device, at)
        elif (begun := since.pop(device, None)) is not None and at - begun >= FOR:
            told += ["firing", "resolved"]
    for device in since:  # the test waits at the end
        states[device].append("firing")
    return states


def sticky(published):
    """Sticky: above 10 at once; ends when it has not been above 10 for FOR."""
    states, below = {}, {}
    for at, kind, device, _, v in published:
        if kind != "held":
            continue
        told = states.setdefault(device, [])
        if v > 10:
            begun = below.pop(device, None)
            if begun is not None and at - begun >= FOR:
                told.append("resolved")
            if told[-1:] != ["firing"]:
                told.append("firing")
        elif told[-1:] == ["firing"]:
            below.setdefault(device, at)
    for device in below:
        states[device].append("resolved")
    return states


def _walk(published, wanted, begins, ends):
    states = {}
    for _, kind, device, _, v in published:
        if kind != wanted:
            continue
        told = states.setdefault(device, [])
        firing = told[-1:] == ["firing"]
        if not firing and begins(v):
            told.append("firing")
        elif firing and ends(v):
            told.append("resolved")
    return states
