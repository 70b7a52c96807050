// A form that a link of a mail has filled in already is sent at once: one tap there is enough.
const answer = new URLSearchParams(location.search).get("worked");
const form = document.querySelector("form[data-send-now]");
const button = [...form.querySelectorAll("button[name=worked]")].find((one) => one.value === answer);
if (button) form.requestSubmit(button);
