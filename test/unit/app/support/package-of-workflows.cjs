// A package that brings workflows: Node loads it once, and the package registers them, not the project.
const {
  createStep,
  createWorkflow,
  StepResponse,
  WorkflowResponse,
} = require('@medusajs/workflows-sdk');

const step = createStep('step of a package', async () => new StepResponse('package'));
createWorkflow('of a package', () => new WorkflowResponse(step()));
