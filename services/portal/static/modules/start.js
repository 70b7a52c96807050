// Loads what this page can use. Everything works without; modules only shorten the way.
const wanted = [
  ["form[data-once]", "./once.js"],
  ["[data-pick]", "./week.js"],
  ["form[data-hold]", "./hold.js"],
  ["[data-unread]", "./live.js"],
  ["form[data-draft]", "./draft.js"],
  ["[data-locate]", "./locate.js"],
  ["#progress[data-running]", "./progress.js"],
  ["[data-select]", "./select.js"],
  ["[data-suggest]", "./suggest.js"],
  ["form[data-send-now]", "./sendnow.js"],
];
// Fulfilled once they all run, which may be after the page has loaded.
export const begun = Promise.all(
  wanted.filter(([selector]) => document.querySelector(selector)).map(([, module]) => import(module)),
);
document.getElementById("problem")?.focus();
try {
  // The page after a form that was sent: without good news on it (a new sign-in, say) what was written is kept.
  const sent = sessionStorage.getItem("sent");
  sessionStorage.removeItem("sent");
  if (sent && document.querySelector(".flash")) localStorage.removeItem(sent);
} catch {
  // Storage is switched off: there are no drafts.
}
if (location.hash === "#decline") document.getElementById("decline")?.setAttribute("open", "");
