import { JobState, createClient, hasEnded } from "@milepost/client";
import { MilepostProvider, useJob } from "@milepost/client/react";
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";

const client = createClient({
  baseUrl: new URL("milepost", location.href).href,
});

function App() {
  const [jobId, setJobId] = useState<string>();
  const submit = async () => {
    const job = await client.submitJob({ kind: "count", input: { to: 10 } });
    setJobId(job.jobId);
  };
  return (
    <main>
      <button onClick={() => void submit()}>Count to ten</button>
      {jobId !== undefined && <Job jobId={jobId} />}
    </main>
  );
}

function Job({ jobId }: { jobId: string }) {
  const { job, state, error, cancel } = useJob(jobId);
  if (error !== undefined) {
    return <p role="alert">{error.message}</p>;
  }
  return (
    <section>
      <h1>{job === undefined ? "…" : JobState[job.state]}</h1>
      <progress value={job?.fraction ?? 0} />
      <p>Connection: {state}</p>
      <button
        disabled={job === undefined || hasEnded(job)}
        onClick={() => void cancel({ reason: "enough" })}
      >
        Cancel
      </button>
    </section>
  );
}

createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <MilepostProvider client={client}>
      <App />
    </MilepostProvider>
  </StrictMode>,
);
