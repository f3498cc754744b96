"""What the bands of scores say in plain words: the same in the terminal, JSON and the picture."""

from reports_app.assessment.share_comparison import ShareAnswer, ShareComparison


def band(
    limits: tuple[float, float],
    n: int,
    lower: ShareComparison | None,
    random: ShareComparison | None,
) -> str:
    """Say how the ``n`` outcomes of a band did against lower scores and random entries."""
    name = f"Scores {limits[0]:g}-{limits[1]:g}"
    if random is None:
        return f"{name}: {count(n, 'outcome')}, too few to say anything."
    sentences = [f"{name} won {random.share:.1%} of {n:,}."]
    if lower is not None:
        sentences.append(f"Lower scores won {lower.other:.1%}: {_in_words(lower)}.")
    sentences.append(f"Random entries won {random.other:.1%}: {_in_words(random)}.")
    return " ".join(sentences)


def order(comparison: ShareComparison | None, n_taken: int, n_lower: int, threshold: float) -> str:
    """Say whether scores from the threshold on won more often than lower ones."""
    question = "Did higher scores do better?"
    if comparison is None:
        return (
            f"{question} Too few outcomes to say: {n_taken:,} from {threshold:g} on, "
            f"{n_lower:,} below."
        )
    facts = (
        f"scores from {threshold:g} on won {comparison.share:.1%} of {n_taken:,}, "
        f"lower ones {comparison.other:.1%} of {n_lower:,}"
    )
    return f"{question} {_answer(comparison, facts)}"


def beside_random(comparison: ShareComparison | None, n: int, threshold: float) -> str:
    """Say whether scores from the threshold on won more often than random entries."""
    question = (
        f"Did scores from {threshold:g} on do better than random entries of the same direction, "
        "hour and distance?"
    )
    if comparison is None:
        return f"{question} Too few outcomes to say: {n:,} from {threshold:g} on."
    facts = f"{comparison.share:.1%} of {n:,} against {comparison.other:.1%}"
    return f"{question} {_answer(comparison, facts)}"


def notes(comparisons: int) -> tuple[str, ...]:
    """Say what has to be known to read so many answers by band."""
    by_band = (
        f"{count(comparisons, 'comparison')} by band: of twenty, chance alone makes about one "
        "look better or worse."
    )
    out_of_sample = (
        "No number of the score was fitted to what won. But its shares and the stop were chosen on "
        "gold of 2010-2017 and of 2025, by signals a week and the costs' share of the risk: "
        "there, only the outcomes are out of sample."
    )
    return (by_band, out_of_sample) if comparisons else (out_of_sample,)


def count(number: int, noun: str) -> str:
    """Say a number with its noun, which has an s but for one."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _in_words(compared: ShareComparison) -> str:
    """The answer of a comparison, and what it could not have seen."""
    least = _points(compared.least)
    if compared.answer in (ShareAnswer.BETTER, ShareAnswer.WORSE):
        return f"{compared.answer}, by {_points(compared.difference)}"
    if compared.answer is ShareAnswer.NO_DIFFERENCE:
        return f"{compared.answer} (one would from about {least} on)"
    return f"{compared.answer} (only a difference from about {least} on would show)"


def _answer(compared: ShareComparison, facts: str) -> str:
    by = _points(compared.difference)
    unseen = f"A difference of under about {_points(compared.least)} would not show with so"
    return {
        ShareAnswer.BETTER: f"Yes, by {by}: {facts}.",
        ShareAnswer.WORSE: f"No, they did worse, by {by}: {facts}.",
        ShareAnswer.NO_DIFFERENCE: f"No, as far as can be seen: {facts}. {unseen} many outcomes.",
        ShareAnswer.TOO_FEW: f"Too few outcomes to say: {facts}. {unseen} few.",
    }[compared.answer]


def _points(share: float) -> str:
    """A difference of shares in percentage points, one at least."""
    return count(max(round(100 * abs(share)), 1), "point")
