// Asks the server's API to do something; an answer that is no success is an error that says all that was wrong.
export async function send(address, body) {
  const response = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.problems?.join(" ") ?? answer.detail ?? `The server answered ${response.status}.`);
  return answer;
}
