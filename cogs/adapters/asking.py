"""The cards of what members ask each other: offers of LoRAs, photos of somebody else's message, who is in a LoRA."""

from bot.ports import PlaceRefused
from bot.records.post import Post, PostKind
from bot.services import Services
from cogs.likeness.cards import claim_card, decided_card
from cogs.loras.handover import imported_card, offer_answered_card, offer_card
from cogs.requests.cards import request_answered_card, request_card
from cogs.ui.layout import SafeLayout

ASKING = frozenset(
    {
        PostKind.LORA_OFFER,
        PostKind.LORA_OFFER_ANSWERED,
        PostKind.LORA_IMPORTED,
        PostKind.PHOTO_REQUEST,
        PostKind.PHOTO_REQUEST_ANSWERED,
        PostKind.LIKENESS_OWNER,
        PostKind.LIKENESS_MODERATORS,
        PostKind.LIKENESS_DECIDED,
    }
)


async def render_asking(services: Services, post: Post, guild_name: str, *, is_private: bool) -> SafeLayout:
    """The question or its answer as things are now; PlaceRefused when what it is about has been erased."""
    match post.kind:
        case PostKind.LORA_OFFER | PostKind.LORA_OFFER_ANSWERED:
            offer = await services.sharing.view(post.subject_id)
            if offer is not None:
                is_answer = post.kind is PostKind.LORA_OFFER_ANSWERED
                if is_answer:
                    return offer_answered_card(offer)
                return offer_card(offer, is_private=is_private)
        case PostKind.LORA_IMPORTED:
            lora = await services.loras.get(post.subject_id)
            if lora is not None and lora.owner_id == post.user_id and lora.archived_at is None:
                return imported_card(lora, guild_name)
        case PostKind.PHOTO_REQUEST | PostKind.PHOTO_REQUEST_ANSWERED:
            request = await services.requests.view(post.subject_id)
            if request is not None:
                is_question = post.kind is PostKind.PHOTO_REQUEST
                return request_card(request, guild_name) if is_question else request_answered_card(request)
        case PostKind.LIKENESS_OWNER | PostKind.LIKENESS_MODERATORS | PostKind.LIKENESS_DECIDED:
            claim = await services.likeness.view(post.subject_id)
            if claim is not None and post.kind is PostKind.LIKENESS_DECIDED:
                return decided_card(claim, guild_name)
            if claim is not None:
                can_decide = post.kind is PostKind.LIKENESS_OWNER or not is_private
                return claim_card(claim, guild_name, can_decide=can_decide)
    raise PlaceRefused("what it asks about is gone")
