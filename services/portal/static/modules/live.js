// New messages as they come: the count in the header, and a line on the page of messages.
// Only while the page is seen: without HTTP/2 a browser has six connections, and six open pages would take them all.
const counts = document.querySelectorAll("[data-unread]");
const place = document.querySelector("[data-live]");
let source = null;

function show(number) {
  for (const count of counts) {
    count.textContent = String(number);
    count.hidden = number === 0;
  }
}
function hear(event) {
  const message = JSON.parse(event.data);
  if (message.read) return;
  show(Number(counts[0].textContent || 0) + 1);
  if (place) {
    place.hidden = false;
    place.querySelector("[data-live-title]").textContent = message.title;
  }
}
function open() {
  source = new EventSource("/inbox/live");
  source.addEventListener("notification", hear);
}
function close() {
  source?.close();
  source = null;
}
async function catchUp() {
  const answer = await fetch("/inbox/unread").catch(() => null);
  if (answer?.ok && !answer.redirected) show((await answer.json()).count);
}
function follow() {
  if (document.visibilityState === "hidden") close();
  else if (!source) {
    open();
    catchUp();
  }
}
if (document.visibilityState === "visible") open();
document.addEventListener("visibilitychange", follow);
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => { if (event.persisted) follow(); });
