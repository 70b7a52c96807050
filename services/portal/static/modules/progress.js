// Follows an import without reloading the page.
async function follow() {
  const answer = await fetch(location.href);
  if (answer.ok) {
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("progress");
    if (fresh) document.getElementById("progress").replaceWith(fresh);
  }
  if (document.querySelector("#progress[data-running]")) setTimeout(follow, 1000);
}
setTimeout(follow, 500);
