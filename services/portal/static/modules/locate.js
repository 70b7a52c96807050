// "Around me": asks the browser for its position, only when the button is pressed.
for (const button of document.querySelectorAll("[data-locate]")) {
  if (!("geolocation" in navigator)) continue;
  button.hidden = false;
  button.addEventListener("click", () => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => fill(button, coords.latitude.toFixed(4), coords.longitude.toFixed(4)),
      () => { button.insertAdjacentText("afterend", ` ${button.dataset.failed}`); button.hidden = true; },
      { timeout: 10_000 },
    );
  });
}

function fill(button, latitude, longitude) {
  const form = button.closest("form");
  if (form.elements.near) {
    const option = new Option(button.dataset.name, `${latitude},${longitude}`, true, true);
    form.elements.near.add(option);
    return;
  }
  form.elements.place_latitude.value = latitude;
  form.elements.place_longitude.value = longitude;
}
