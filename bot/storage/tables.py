"""Every table, in SQLAlchemy Core. The same definitions serve SQLite and PostgreSQL."""

import sqlalchemy as sa

from bot.records.dataset import ConsentKind, DatasetStatus, Gender, Pick, SubjectKind, Verdict
from bot.records.generation import GenerationStatus, Operation
from bot.records.job import SubjectTable
from bot.records.key import ProviderName
from bot.records.lora import Audience, OfferStatus
from bot.records.post import PostKind, PostStatus
from bot.records.training import TrainingStatus
from bot.storage.columns import DOUBT, FINDINGS, PLACES, SETTINGS, TUPLE, Instant, Word, due, snowflake, table
from bot.storage.columns import metadata as metadata

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("key", sa.String(60), primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
)

api_keys = table(
    "api_keys",
    snowflake("guild_id"),
    sa.Column("provider", Word(ProviderName), nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("last4", sa.String(4), nullable=False),
    snowflake("set_by"),
    sa.Column("set_at", Instant, nullable=False),
    sa.Column("paused_at", Instant),
    sa.Column("last_error", sa.String(300)),
    sa.Column("last_error_at", Instant),
    sa.Column("doubt", DOUBT),
    sa.Column("retired_at", Instant),
    sa.Column("endpoint_id", sa.String(80)),
    sa.Column("endpoint_url", sa.Text),
    sa.Column("endpoint_token", sa.String(64), index=True, unique=True),
    sa.Column("endpoint_secret", sa.LargeBinary),
    sa.Column("endpoint_heard_at", Instant),
    sa.Column("checked_at", Instant),
    sa.Column("account", sa.String(64), index=True),
    sa.Column("slots", sa.Integer),
    sa.Column("slots_learnt", sa.Integer),
    *due(),
    sa.Index(
        "uq_api_keys_current",
        "guild_id",
        "provider",
        unique=True,
        sqlite_where=sa.text("retired_at IS NULL"),
        postgresql_where=sa.text("retired_at IS NULL"),
    ),
)

datasets = table(
    "datasets",
    snowflake("guild_id"),
    snowflake("channel_id"),
    snowflake("user_id"),
    sa.Column("name", sa.String(60), nullable=False),
    sa.Column("subject_kind", Word(SubjectKind), nullable=False),
    sa.Column("gender", Word(Gender)),
    sa.Column("ethnicity", sa.String(40)),
    sa.Column("age", sa.String(40)),
    sa.Column("steps", sa.Integer, nullable=False),
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("previous_lora_id", sa.BigInteger),
    sa.Column("event_id", sa.BigInteger),
    sa.Column("status", Word(DatasetStatus), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("kept_hours", sa.Integer),
    *due(),
    sa.Index("ix_datasets_owner", "guild_id", "user_id", "status"),
)

photos = table(
    "photos",
    sa.Column("dataset_id", sa.ForeignKey("datasets.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("verdict", Word(Verdict), nullable=False),
    sa.Column("findings", FINDINGS, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("dhash", sa.BigInteger),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("file", sa.String(80)),
    sa.Column("contributor_id", sa.BigInteger, index=True),
    sa.Column("consent_id", sa.BigInteger, index=True),
    sa.Column("pick", Word(Pick)),
    sa.Column("sharpness", sa.Float),
    sa.Column("brightness", sa.Float),
    sa.Column("detail", sa.Float),
)

consents = table(
    "consents",
    snowflake("guild_id"),
    snowflake("user_id", index=True),
    sa.Column("dataset_id", sa.BigInteger),
    sa.Column("generation_id", sa.BigInteger),
    sa.Column("provider", Word(ProviderName), nullable=False),
    sa.Column("policy_version", sa.String(20), nullable=False),
    sa.Column("photo_hashes", TUPLE, nullable=False),
    sa.Column("given_at", Instant, nullable=False),
    sa.Column("event_id", sa.BigInteger, index=True),
    sa.Column("kind", Word(ConsentKind), nullable=False, server_default="photos"),
    sa.Column("wording", sa.Text),
    sa.Column("withdrawn_at", Instant),
)

trainings = table(
    "trainings",
    snowflake("guild_id"),
    snowflake("channel_id"),
    sa.Column("parent_id", sa.BigInteger),
    snowflake("user_id"),
    sa.Column("dataset_id", sa.BigInteger, nullable=False),
    sa.Column("key_id", sa.BigInteger, nullable=False),
    sa.Column("provider", Word(ProviderName), nullable=False),
    sa.Column("name", sa.String(60), nullable=False),
    sa.Column("marker", sa.String(12), nullable=False, unique=True),
    sa.Column("webhook_token", sa.String(64), nullable=False, unique=True),
    sa.Column("status", Word(TrainingStatus), nullable=False),
    sa.Column("request_id", sa.String(80)),
    sa.Column("photo_count", sa.Integer, nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("doubt", DOUBT),
    sa.Column("lora_id", sa.BigInteger),
    sa.Column("balance_before", sa.Integer),
    sa.Column("event_id", sa.BigInteger, index=True),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("submitting_at", Instant),
    sa.Column("submitted_at", Instant),
    sa.Column("finished_at", Instant),
    *due(),
    sa.Index("ix_trainings_key", "key_id", "status"),
    sa.Index("ix_trainings_owner", "guild_id", "user_id"),
)

loras = table(
    "loras",
    snowflake("guild_id"),
    snowflake("owner_id"),
    sa.Column("provider", Word(ProviderName), nullable=False),
    sa.Column("remote_id", sa.String(80), nullable=False),
    sa.Column("name", sa.String(60), nullable=False),
    sa.Column("trigger_word", sa.String(60)),
    sa.Column("subject_kind", Word(SubjectKind), nullable=False),
    sa.Column("training_id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("previous_id", sa.BigInteger),
    sa.Column("note", sa.String(300)),
    sa.Column("cost", sa.Integer),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("archived_at", Instant),
    sa.Column("missing_since", Instant),
    sa.Column("retiring_since", Instant),
    sa.Column("resting_since", Instant),
    sa.Column("event_id", sa.BigInteger),
    sa.Column("account", sa.String(64)),
    sa.Column("strength", sa.Float),
    sa.Column("chosen_at", Instant),
    sa.Column("dataset_id", sa.BigInteger),
    sa.Index("ix_loras_owner", "guild_id", "owner_id"),
)

lora_shares = table(
    "lora_shares",
    snowflake("guild_id"),
    sa.Column("lora_id", sa.ForeignKey("loras.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("audience", Word(Audience), nullable=False),
    sa.Column("audience_id", sa.BigInteger),
    snowflake("granted_by"),
    sa.Column("granted_at", Instant, nullable=False),
    sa.Index("ix_lora_shares_audience", "guild_id", "audience", "audience_id"),
)

lora_offers = table(
    "lora_offers",
    snowflake("guild_id"),
    snowflake("channel_id"),
    sa.Column("lora_id", sa.ForeignKey("loras.id", ondelete="CASCADE"), nullable=False, index=True),
    snowflake("from_id"),
    snowflake("to_id"),
    sa.Column("status", Word(OfferStatus), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
)

styles = table(
    "styles",
    snowflake("guild_id"),
    sa.Column("provider", Word(ProviderName), nullable=False),
    sa.Column("remote_id", sa.String(80), nullable=False),
    sa.Column("slug", sa.String(120)),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("preview_url", sa.Text),
    sa.Column("denoise", sa.Float),
    sa.Column("guidance", sa.Float),
    sa.Column("steps", sa.Integer),
    sa.Column("has_template", sa.Boolean, nullable=False),
    sa.Column("is_public", sa.Boolean, nullable=False),
    sa.Column("retired_at", Instant),
    sa.Column("created_at", Instant),
    sa.UniqueConstraint("guild_id", "provider", "remote_id"),
)

guilds = table(
    "guilds",
    snowflake("guild_id", unique=True),
    sa.Column("default_provider", Word(ProviderName)),
    sa.Column("gallery_channel_id", sa.BigInteger),
    sa.Column("reports_channel_id", sa.BigInteger),
    sa.Column("limited_at", Instant),
    sa.Column("training_pause_h", sa.Integer),
    sa.Column("moderator_role_id", sa.BigInteger),
    sa.Column("host_role_id", sa.BigInteger),
    sa.Column("log_channel_id", sa.BigInteger),
    sa.Column("words", TUPLE),
    sa.Column("is_adult_allowed", sa.Boolean, nullable=False, server_default="0"),
    sa.Column("needs_approval", sa.Boolean, nullable=False, server_default="0"),
    sa.Column("news_role_id", sa.BigInteger),
    sa.Column("welcomed_at", Instant),
    sa.Column("makes_samples", sa.Boolean, nullable=False, server_default="1"),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("left_at", Instant),
    *due(),
)

remembered = table(
    "remembered",
    snowflake("guild_id"),
    snowflake("user_id"),
    sa.Column("lora_id", sa.BigInteger),
    sa.Column("style_id", sa.BigInteger),
    sa.Column("settings", SETTINGS, nullable=False),
    sa.Column("used_at", Instant, nullable=False),
    sa.UniqueConstraint("guild_id", "user_id"),
)

generations = table(
    "generations",
    snowflake("guild_id"),
    snowflake("channel_id"),
    sa.Column("parent_id", sa.BigInteger),
    snowflake("user_id"),
    sa.Column("lora_id", sa.BigInteger),
    sa.Column("style_id", sa.BigInteger),
    sa.Column("operation", Word(Operation), nullable=False, server_default="imagine"),
    sa.Column("origin_id", sa.BigInteger),
    sa.Column("key_id", sa.BigInteger, nullable=False),
    sa.Column("provider", Word(ProviderName), nullable=False),
    sa.Column("prompt", sa.Text, nullable=False),
    sa.Column("settings", SETTINGS, nullable=False),
    sa.Column("idempotency_key", sa.String(64), nullable=False, unique=True),
    sa.Column("webhook_token", sa.String(64), nullable=False, unique=True),
    sa.Column("status", Word(GenerationStatus), nullable=False),
    sa.Column("request_id", sa.String(80)),
    sa.Column("image_urls", TUPLE, nullable=False),
    sa.Column("late", TUPLE, nullable=False),
    sa.Column("estimate", sa.Integer),
    sa.Column("cost", sa.Integer),
    sa.Column("error", sa.Text),
    sa.Column("doubt", DOUBT),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("submitting_at", Instant),
    sa.Column("submitted_at", Instant),
    sa.Column("finished_at", Instant),
    sa.Column("deleted_at", Instant),
    sa.Column("event_id", sa.BigInteger, index=True),
    sa.Column("pack_index", sa.Integer),
    sa.Column("percent", sa.Integer),
    sa.Column("sample_of", sa.BigInteger),
    *due(),
    sa.Index("ix_generations_owner", "guild_id", "user_id"),
)

pictures = table(
    "pictures",
    sa.Column("generation_id", sa.ForeignKey("generations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("file", sa.String(80)),
    sa.Column("content_type", sa.String(60), nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("saves", sa.Integer, nullable=False, server_default="0"),
    sa.UniqueConstraint("generation_id", "position"),
)

reference_pictures = table(
    "reference_pictures",
    sa.Column("generation_id", sa.ForeignKey("generations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("file", sa.String(80)),
    sa.Column("content_type", sa.String(60), nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("remote_id", sa.Text),
    sa.Column("uploaded_at", Instant),
    sa.UniqueConstraint("generation_id", "position"),
)

picture_reports = table(
    "picture_reports",
    snowflake("guild_id"),
    sa.Column("generation_id", sa.ForeignKey("generations.id", ondelete="CASCADE"), nullable=False),
    snowflake("reporter_id"),
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("dismissed_at", Instant),
    sa.UniqueConstraint("generation_id", "reporter_id"),
)

posts = table(
    "posts",
    sa.Column("kind", Word(PostKind, 30), nullable=False),
    sa.Column("subject_table", Word(SubjectTable), nullable=False),
    sa.Column("subject_id", sa.BigInteger, nullable=False),
    snowflake("guild_id"),
    snowflake("user_id"),
    sa.Column("nonce", sa.String(25), nullable=False, unique=True),
    sa.Column("places", PLACES, nullable=False),
    sa.Column("place_index", sa.Integer, nullable=False, server_default="0"),
    sa.Column("status", Word(PostStatus), nullable=False),
    sa.Column("message_id", sa.BigInteger),
    sa.Column("revision", sa.Integer, nullable=False, server_default="0"),
    sa.Column("sending_at", Instant),
    sa.Column("posted_at", Instant),
    sa.Column("created_at", Instant, nullable=False),
    *due(),
    sa.UniqueConstraint("kind", "subject_table", "subject_id"),
    sa.Index("ix_posts_user", "guild_id", "user_id", "status"),
)

timeline = table(
    "timeline",
    sa.Column("subject_table", Word(SubjectTable), nullable=False),
    sa.Column("subject_id", sa.BigInteger, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("what", sa.String(40), nullable=False),
    sa.Column("detail", sa.String(300), nullable=False),
    sa.Index("ix_timeline_subject", "subject_table", "subject_id"),
)
