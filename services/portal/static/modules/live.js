// New messages as they come: the count in the header, and a line on the page of messages.
const counts = document.querySelectorAll("[data-unread]");
const place = document.querySelector("[data-live]");

const source = new EventSource("/inbox/live");
source.addEventListener("notification", (event) => {
  const message = JSON.parse(event.data);
  if (message.read) return;
  for (const count of counts) {
    count.textContent = String(Number(count.textContent || 0) + 1);
    count.hidden = false;
  }
  if (place) {
    place.hidden = false;
    place.querySelector("[data-live-title]").textContent = message.title;
  }
});
addEventListener("pagehide", () => source.close());
