// Has the chosen period kept while the form is filled in, says until when, and gives it back when the page is left.
const form = document.querySelector("form[data-hold]");
const said = form.querySelector("[data-kept]");
const path = form.dataset.hold;
let waiting = 0;
let asked = 0;

async function keep() {
  const number = ++asked;
  const { start, end, hold_id: held } = form.elements;
  if (!start.value || !end.value) return;
  try {
    const answer = await fetch(`${path}/hold`, {
      method: "POST", body: new FormData(form), headers: { accept: "application/json" },
    });
    const told = await answer.json();
    if (number !== asked) return;
    held.value = told.hold_id ?? "";
    said.hidden = !told.hold_id;
    said.textContent = told.hold_id ? told.said : "";
  } catch {
    // Not kept: it can still be asked for, and the answer says whether it is free.
  }
}

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(keep, 600);
}
form.addEventListener("chosen", soon);
for (const name of ["start", "end", "quantity"]) form.elements[name]?.addEventListener("change", soon);
form.addEventListener("submit", () => { clearTimeout(waiting); asked += 1; });

addEventListener("pagehide", () => {
  if (form.dataset.sent || !form.elements.hold_id.value) return;
  const left = new FormData(form);
  left.set("leaving", "yes");
  navigator.sendBeacon(`${path}/release`, left);
  form.elements.hold_id.value = "";
  said.hidden = true;
});
