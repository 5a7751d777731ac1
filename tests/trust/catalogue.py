"""All rows of `make trust`, in the order of the catalogue."""

from tests.trust import (
    advisories,
    closed_places,
    deliveries,
    ending_links,
    forged_webhooks,
    inside_addresses,
    large_results,
    missing_webhooks,
    outages,
    provider_faults,
    rate_limits,
    retention,
    spend_race,
    stolen_database,
    stored_messages,
)
from tests.trust.durability import (
    backlog,
    key_rotation,
    lost_answers,
    order_kills,
    power_cuts,
    process_kills,
    storage_trouble,
)
from tests.trust.photos import (
    archives,
    hostile_photos,
    image_bombs,
    stampede,
)
from tests.trust.row import Row

CATALOGUE: tuple[Row, ...] = (
    power_cuts.ROW,
    process_kills.ROW,
    backlog.ROW,
    *order_kills.rows(),
    lost_answers.ROW,
    provider_faults.ROW,
    stored_messages.ROW,
    *forged_webhooks.rows(),
    spend_race.ROW,
    *deliveries.ROWS,
    inside_addresses.ROW,
    stampede.ROW,
    image_bombs.ROW,
    hostile_photos.ROW,
    archives.ROW,
    *missing_webhooks.ROWS,
    rate_limits.ROW,
    outages.ROW,
    closed_places.ROW,
    large_results.ROW,
    ending_links.ROW,
    advisories.ROW,
    stolen_database.ROW,
    storage_trouble.ROW,
    key_rotation.ROW,
    retention.ROW,
)
