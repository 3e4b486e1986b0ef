"""Expressions at random: mostly well typed, sometimes not, over a fixed set of bindings.

What the hub does otherwise on purpose is not made: an int with a double in arithmetic, durations as literals. Nor is
what Google's runtime does otherwise than the specification says: a substring to the end, `int(bool)` unchecked, the
order of a map's keys.
"""

BINDINGS = {
    "i": 5,
    "j": -3,
    "d": 2.5,
    "s": "abc",
    "e": "",
    "b": True,
    "n": None,
    "l": [1, 2.5, "x", True, None, [1]],
    "li": [3, 1, 2],
    "ls": ["a", "b", ""],
    "m": {"a": 1, "b": {"c": 2}, "s": "x"},
}
LEAVES = {
    "int": ["0", "1", "2", "-1", "7", "64", "9223372036854775807", "-9223372036854775808", "i", "j", "m.a", "size(l)"],
    "uint": ["0u", "1u", "5u", "18446744073709551615u"],
    "double": ["0.0", "1.0", "-2.5", "1e308", "d", "0.1", "9007199254740993.0", "1e-7"],
    "string": ["''", "'abc'", "'a'", "s", "e", "'é☃'", "'10'", "'1.5'", "'true'", "m.s", "'b'"],
    "bool": ["true", "false", "b"],
    "bytes": ["b''", "b'abc'", "b'\\xff'"],
    "null": ["null", "n"],
    "list": ["[]", "l", "li", "ls", "[1, 2]", "[1u, 1.0]", "['a']"],
    "map": ["{}", "m", "{'a': 1}", "{1: 'x', 2u: 'y'}", "{true: 1}", "m.b"],
    "timestamp": [
        "timestamp(0)",
        "timestamp('2024-02-29T12:34:56.789Z')",
        "timestamp('9999-12-31T23:59:59Z')",
        "timestamp('1000-01-01T00:00:00Z')",  # Google's %s writes the year 1 with one digit
    ],
    "duration": ["duration('0s')", "duration('1h30m')", "duration('-1.5s')", "duration('2500000h')"],
    "fault": ["m.y.z", "nope", "m.zz", "l[9]", "1/0", "l[i]"],
}
KINDS = [kind for kind in LEAVES if kind != "fault"]
_NUMBER = ["int", "double", "uint"]
_GETTERS = [
    "getFullYear",
    "getMonth",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getHours",
    "getSeconds",
]
_ZONES = ["", "'Europe/Berlin'", "'-03:30'", "'X'", "'Asia/Kolkata'"]
_TESTS = ["==", "!=", "<", "<=", ">", ">="]
# what stands between « » is filled: by a kind; `kind?`, at times by a fault; `a|b`, one of these kinds; `=x,y`, one of
# these words; `$` is a fresh variable and `«$kind»` an expression that may use it
FORMS = {
    "bool": [
        "(«bool?» && «bool?»)",
        "(«bool?» || «bool?»)",
        "!(«bool?»)",
        "(«any» «==,!=» «any»)",
        "(«int|double|uint» «=tests» «int|double|uint»)",
        "(«string» «=tests» «string?»)",
        "(«any» «=tests» «any»)",
        "(«any» in «list|map»)",
        "(«bool?» ? «bool» : «bool»)",
        "«string?».«=contains,startsWith,endsWith»(«string?»)",
        "«list|map».«=all,exists,exists_one»($, «$bool»)",
        "has(«map».«=a,b,zz»)",
        "bool(«string?»)",
        "(type(«any») == type(«any»))",
        "«string?».matches(«='^a','b+','(','.'»)",
    ],
    "int": [
        "(«int» «=+,-,*,/,%» «int»)",
        "(-(«int»))",
        "size(«string|list|map|bytes»)",
        "int(«double|uint|string|timestamp»)",
        "(«bool?» ? «int» : «int»)",
        "«string».indexOf(«string»)",
        "«string».lastIndexOf(«string», «int?»)",
        "math.«=bitAnd,bitOr,bitXor,bitShiftLeft,bitShiftRight»(«int?», «int?»)",
        "math.«=abs,sign»(«int?»)",
        "«timestamp?».«=getters»(«=zones»)",
        "«duration?».«=getHours,getMinutes,getSeconds,getMilliseconds»()",
        "[«int», «int»][«=0,1,dyn(1.0),dyn(0u),2»]",
        "cel.bind($, «any», «$int»)",
    ],
    "uint": [
        "(«uint» «=+,-,*,/,%» «uint»)",
        "uint(«double|int|string»)",
        "math.«=bitAnd,bitOr,bitXor»(«uint?», «uint?»)",
        "math.bitNot(«uint»)",
    ],
    "double": [
        "(«double» «=+,-,*,/» «double»)",
        "(-(«double»))",
        "double(«int|uint|string»)",
        "math.«=ceil,floor,round,trunc,abs,sign,sqrt»(«double»)",
        "math.«=greatest,least»(«double», «double»)",
    ],
    "string": [
        "(«string» + «string»)",
        "string(«int|uint|bool|bytes|timestamp|duration»)",
        "«string?».charAt(«int?»)",
        "«string?».«=lowerAscii,upperAscii,trim,reverse»()",
        "«string?».replace(«string», «string»)",
        "«string?».replace(«string», «string», «int?»)",
        "«list».join(«string»)",
        "strings.quote(«string»)",
        "base64.encode(«bytes»)",
        "'%d %s'.format([«int», «int|uint|string|bool|null|timestamp»])",
        "'%.2f|%e|%x'.format([«double», «double», «int»])",
    ],
    "bytes": ["(«bytes» + «bytes»)", "bytes(«string?»)", "base64.decode(«string?»)"],
    "list": [
        "(«list» + «list»)",
        "[«any», «any»]",
        "«list?».map($, «$any»)",
        "«list?».map($, «$bool», «$any»)",
        "«list?».filter($, «$bool»)",
        "«string?».split(«string»)",
        "«string?».split(«string», «int?»)",
        "[?m.?«=a,zz», «any»]",
    ],
    "map": ["{«int|string|uint|any»: «any»}", "{'p': «any», 'q': «any»}"],
    "timestamp": ["(«timestamp» «=+,-» «duration»)", "timestamp(«int|string|timestamp»)"],
    "duration": ["(«timestamp» - «timestamp»)", "(«duration» «=+,-» «duration»)", "duration(«string?»)"],
    "null": ["(«bool» ? null : n)"],
}
_WORDS = {"tests": _TESTS, "getters": _GETTERS, "zones": _ZONES}


def expression(random, kind, depth, variables=()):
    """Return the text of an expression that should have this kind."""
    if kind == "any":
        kind = "fault" if random.random() < 0.1 else random.choice(KINDS)
    if kind == "fault":
        return random.choice(LEAVES["fault"])
    if variables and random.random() < 0.25:
        return f"dyn({random.choice(variables)})"
    if depth == 0 or random.random() < 0.1:
        return f"dyn({random.choice(LEAVES[kind])})"
    form = random.choice(FORMS[kind])
    name = random.choice("xyz")
    text = ""
    for part in form.replace("$,", f"{name},").split("«"):
        hole, closed, rest = part.partition("»")
        text += _filled(random, hole, depth - 1, variables, name) + rest if closed else hole
    return text


def _filled(random, hole, depth, variables, name):
    if hole[0] == "=" and hole != "==,!=":
        return random.choice(_WORDS.get(hole[1:]) or hole[1:].split(","))
    if hole == "==,!=":
        return random.choice(hole.split(","))
    if hole[0] == "$":
        return expression(random, hole[1:], depth, (*variables, name))
    if hole.endswith("?"):
        return expression(random, "any" if random.random() < 0.1 else hole[:-1], depth, variables)
    return expression(random, random.choice(hole.split("|")), depth, variables)
