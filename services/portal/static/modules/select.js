// A code that is to be copied is selected when its field is entered.
for (const field of document.querySelectorAll("[data-select]")) field.addEventListener("focus", () => field.select());
