"""What a day with Darkroom needs: when a server was told how to begin; datasets that are kept open for longer."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("guilds", sa.Column("welcomed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("datasets", sa.Column("kept_hours", sa.Integer(), nullable=True))
