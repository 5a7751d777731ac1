"""The table of the pictures that LoRAs keep."""

import sqlalchemy as sa

from bot.storage.columns import Instant, snowflake, table

lora_previews = table(
    "lora_previews",
    snowflake("guild_id"),
    sa.Column("lora_id", sa.ForeignKey("loras.id", ondelete="CASCADE"), nullable=False, index=True),
    snowflake("user_id"),
    sa.Column("generation_id", sa.BigInteger, nullable=False),
    snowflake("channel_id"),
    sa.Column("file", sa.String(80)),
    sa.Column("saves", sa.Integer, nullable=False),
    sa.Column("kept_at", Instant, nullable=False),
)
