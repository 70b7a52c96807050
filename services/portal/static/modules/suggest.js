// While somebody types: what the service proposes replaces what the list below the field had to begin with.
const WAIT = 120;
for (const field of document.querySelectorAll("[data-suggest]")) {
  const list = field.list;
  const source = field.dataset.from ? document.getElementById(field.dataset.from) : field;
  let timer = 0;
  let asked = "";
  const ask = async () => {
    const typed = source.value.trim();
    if (typed.length < 2 || typed === asked) return;
    asked = typed;
    try {
      const answer = await fetch(`${field.dataset.suggest}?q=${encodeURIComponent(typed)}`);
      if (!answer.ok || typed !== asked) return;
      const texts = await answer.json();
      if (texts.length) list.replaceChildren(...texts.map((text) => new Option(text, text)));
    } catch {
      // Nobody answers: the list stays as it was.
    }
  };
  source.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, WAIT); });
  if (source !== field) field.addEventListener("focus", ask);
}
