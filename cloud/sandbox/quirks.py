"""The oddities of the live service, each a switch. All are on unless somebody turns them off."""

# name: what it does while on. The numbers are those of the list of what the live service was seen to do.
QUIRKS: dict[str, str] = {
    "metadata_dropped": "1: launch metadata is accepted and reads give null",
    "hidden_until_created": "2: no list entry and a 404 by id until the creation has finished",
    "detail_power_null": "3: GET by id gives power_status null, the list gives the state",
    "strict_launch_names": "4: launch allows only letters, digits and inner hyphens; rename also underscores",
    "ssh_newline_rejected": "5: an ssh key with a trailing newline is refused",
    "gpu_model_lists": "6: gpu_model of a type is a string or a list of strings",
    "gpu_description_na": '6: gpu_description may be "N/A"',
    "region_names": "7: instances report the region's name, launch takes its code",
    "early_invalid_state": "8: writes to a machine that is being created answer 400 invalid_state",
    "no_idempotency_keys": "9: a repeated create makes a second one, whatever its Idempotency-Key",
    "rate_limited": "10: 429 with Retry-After far above the pace of a careful client",
    "template_ignored": "11: some templates are replaced by the default one",
    "power_words": "12: power states in any case, `off` as well as `stopped`",
    "driver_rebuild": "13: a fresh GPU machine is busy with its driver for 7 to 19 minutes",
    "capacity_moves": "14: capacity comes and goes",
    "error_shapes": "errors in the three shapes that were met, not only the documented one",
    "schedule_wrapped": "schedules are read wrapped and with hour_utc instead of time_utc for some machines",
    "edge_rejects_agents": "the edge answers an HTML 403 to the default agent of urllib",
}


def all_on() -> dict[str, bool]:
    """Every switch, on."""
    return dict.fromkeys(QUIRKS, True)
