// What a package does that brings workflows: Node loads it once, and the project is not who registers.
const {
  createStep,
  createWorkflow,
  StepResponse,
  WorkflowResponse,
} = require('@medusajs/workflows-sdk');

const step = createStep('step of a package', async () => new StepResponse('package'));
createWorkflow('of a package', () => new WorkflowResponse(step()));
