// The week's table by keyboard and without reload: arrows move, Shift extends, Enter takes; on a phone one day at a time.
const booking = document.querySelector("form[data-booking]");
const table = document.querySelector("table[data-week]");
const buttons = [...document.querySelectorAll("[data-pick]")];
const cells = table ? [...table.querySelectorAll("button[data-pick]")] : [];
let anchor = null;

const period = (button) => button.value.split("/").map((text) => new Date(text));

function fieldValue(instant, zone) {
  const parts = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" });
  return parts.format(instant).replace(" ", "T");
}

function choose(start, end) {
  if (!booking) return;
  const zone = booking.dataset.zone;
  booking.elements.start.value = fieldValue(start, zone);
  booking.elements.end.value = fieldValue(end, zone);
  booking.elements.at.value = `${start.toISOString()}/${end.toISOString()}`;
  show(start, end);
  booking.dispatchEvent(new Event("chosen"));
}

function show(start, end) {
  for (const cell of cells) {
    const [from] = period(cell);
    cell.setAttribute("aria-pressed", String(from >= start && from < end));
  }
}

function spanOf(first, last) {
  const both = [...period(first), ...period(last)].map(Number);
  return [new Date(Math.min(...both)), new Date(Math.max(...both))];
}

for (const button of buttons) {
  button.addEventListener("click", (event) => {
    if (!booking) return;
    event.preventDefault();
    const by_key = event.detail === 0;
    if (!(by_key && anchor !== button && button.getAttribute("aria-pressed") === "true")) {
      anchor = event.shiftKey && anchor ? anchor : button;
      choose(...spanOf(anchor, button));
    }
    if (event.pointerType !== "touch") booking.elements.note.focus({ preventScroll: true });
    booking.closest(".panel").scrollIntoView({ block: "nearest" });
  });
}

function neighbour(cell, key) {
  const day = cell.closest("td").dataset.day;
  const row = cell.closest("tr");
  const step = key === "ArrowUp" || key === "ArrowLeft" ? -1 : 1;
  if (key === "ArrowUp" || key === "ArrowDown") {
    const column = cells.filter((one) => one.closest("td").dataset.day === day);
    return column[column.indexOf(cell) + step];
  }
  const line = cells.filter((one) => one.closest("tr") === row && one.offsetParent !== null);
  return line[line.indexOf(cell) + step];
}

table?.addEventListener("keydown", (event) => {
  if (!event.key.startsWith("Arrow") || !event.target.matches("button[data-pick]")) return;
  const next = neighbour(event.target, event.key);
  event.preventDefault();
  if (!next) return;
  if (event.shiftKey) {
    anchor ??= event.target;
    choose(...spanOf(anchor, next));
  } else {
    anchor = next;
  }
  rove(next);
  next.focus();
});

// One stop for the Tab key in the whole table.
function rove(current) {
  for (const cell of cells) cell.tabIndex = cell === current ? 0 : -1;
}
const shown = () => cells.find((cell) => cell.offsetParent !== null);
if (cells.length) rove(shown() ?? cells[0]);

function showDay(number) {
  for (const one of table.querySelectorAll("[data-day]")) one.classList.toggle("chosen", one.dataset.day === number);
  for (const link of document.querySelectorAll(".days-nav a")) {
    if (link.dataset.day === number) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  const first = shown();
  if (first) rove(first);
}
for (const link of document.querySelectorAll(".days-nav a")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    showDay(link.dataset.day);
  });
}
let touched = null;
table?.addEventListener("touchstart", (event) => { touched = event.changedTouches[0]; }, { passive: true });
table?.addEventListener("touchend", (event) => {
  const end = event.changedTouches[0];
  const across = end.clientX - touched.clientX;
  if (Math.abs(across) < 60 || Math.abs(across) < 2 * Math.abs(end.clientY - touched.clientY)) return;
  const links = [...document.querySelectorAll(".days-nav a")];
  const now = links.findIndex((link) => link.hasAttribute("aria-current"));
  const next = links[now + (across < 0 ? 1 : -1)];
  if (next && next.offsetParent !== null) showDay(next.dataset.day);
}, { passive: true });

if (booking?.elements.at.value) show(...booking.elements.at.value.split("/").map((text) => new Date(text)));
