"""Quotas of categories: how much of all our offers of one kind together anybody may book."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.booking import Quota
from services.booking.api.edge import At
from services.booking.api.terms import QuotaForm
from services.booking.api.texts import ShortLabel
from services.booking.commands.quotas import put_category_quotas
from services.booking.queries.quotas import quotas_by_category
from services.chassis.auth import Coordinator
from services.chassis.problems import FieldError, InvalidFields, Text

router = APIRouter(tags=["quotas"])

_TWICE = Text(
    fr="Cette limite est donnée deux fois : gardez-en une.",
    en="This limit is given twice: keep one of them.",
    nl="Deze limiet staat er twee keer: behoud er één.",
)

_CATEGORY = Text(fr="Nommez une catégorie.", en="Name a category.", nl="Noem een categorie.")


class CategoryView(BaseModel):
    """The quotas of a category of our offers; none: no limit beyond those of each offer."""

    category: str
    quotas: list[Quota]


class QuotasView(BaseModel):
    """Every category that our offers have."""

    items: list[CategoryView]


class QuotasForm(BaseModel):
    """The quotas of a category, in place of those that it had."""

    model_config = ConfigDict(extra="forbid")

    category: ShortLabel
    quotas: list[QuotaForm] = Field(max_length=12)

    def checked(self) -> list[Quota]:
        """Raises InvalidFields when one is given twice, or no category is named."""
        if not self.category:
            raise InvalidFields(FieldError("category", "missing", _CATEGORY))
        seen: set[tuple[str, str, str]] = set()
        for number, quota in enumerate(self.quotas):
            key = (quota.scope, quota.per, quota.unit)
            if key in seen:
                raise InvalidFields(FieldError(f"quotas.{number}.most", "twice", _TWICE))
            seen.add(key)
        return [Quota(**quota.model_dump()) for quota in self.quotas]


@router.get("/quotas")
async def list_quotas(_: Coordinator, at: At) -> QuotasView:
    """Quotas by category, for coordinators."""
    async with at.db.reading() as session:
        return await _view(session)


@router.put("/quotas")
async def put_quotas(form: QuotasForm, _: Coordinator, at: At) -> QuotasView:
    """Set those of one category. They hold for what is booked from now on."""
    quotas = form.checked()

    async def work(session: AsyncSession) -> QuotasView:
        await put_category_quotas(session, form.category, quotas)
        return await _view(session)

    return await at.db.run(work)


async def _view(session: AsyncSession) -> QuotasView:
    found = await quotas_by_category(session)
    return QuotasView(items=[CategoryView(category=name, quotas=quotas) for name, quotas in found.items()])
