"""When cron would run an entry, minute by minute and independent of lib/cron: what
the calendar events that lib/cron makes are compared with."""
import datetime

MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
DAYS = "sun mon tue wed thu fri sat".split()


def value(text, names, first):
    text = text.lower()
    return names.index(text) + first if text in names else int(text)


def members(field, low, high, names=(), first=0):
    found = set()
    for item in field.split(","):
        item, _, step = item.partition("/")
        if item == "*":
            a, b = low, high
        elif "-" in item:
            a, b = (value(x, names, first) for x in item.split("-"))
        else:
            a = b = value(item, names, first)
        found |= set(range(a, b + 1, int(step or 1)))
    return found


def next_times(entry, start, count):
    """The first COUNT minutes from START on (crontab(5): either day when both are restricted)."""
    minute, hour, day, month, weekday = entry.split()
    minutes, hours = members(minute, 0, 59), members(hour, 0, 23)
    days, months = members(day, 1, 31), members(month, 1, 12, MONTHS, 1)
    weekdays = {d % 7 for d in members(weekday, 0, 7, DAYS)}
    times = []
    t = start.replace(hour=0, minute=0, second=0)
    while len(times) < count:
        by_day, by_weekday = t.day in days, t.isoweekday() % 7 in weekdays
        both = day.startswith("*") or weekday.startswith("*")
        if t.month in months and (by_day and by_weekday if both else by_day or by_weekday):
            for h in sorted(hours):
                for m in sorted(minutes):
                    at = t.replace(hour=h, minute=m)
                    if at >= start:
                        times.append(at)
        t += datetime.timedelta(days=1)
    return times[:count]
