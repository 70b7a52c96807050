// What was written stays in this browser until it is published; start.js removes it once the answer says so.
const form = document.querySelector("form[data-draft]");
const key = `draft ${form.dataset.draft}`;
const left_out = new Set(["form", "key", "version"]);

function read() {
  return [...new FormData(form)].filter(([name, value]) => !left_out.has(name) && typeof value === "string");
}
function write(pairs) {
  for (const field of form.elements) {
    if (!field.name || left_out.has(field.name)) continue;
    const values = pairs.filter(([name]) => name === field.name).map(([, value]) => value);
    if (field.type === "checkbox" || field.type === "radio") field.checked = values.includes(field.value);
    else if (values.length) field.value = values[0];
  }
}
try {
  const kept = JSON.parse(localStorage.getItem(key) ?? "null");
  if (kept && !document.getElementById("problem")) write(kept);
  form.addEventListener("input", () => localStorage.setItem(key, JSON.stringify(read())));
  form.addEventListener("submit", () => sessionStorage.setItem("sent", key));
} catch {
  // Storage is switched off in this browser: the form works without drafts.
}
